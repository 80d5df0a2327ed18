"""What people use instead, each as its own documentation says, in a folder of its own. Never imported by syncd."""
