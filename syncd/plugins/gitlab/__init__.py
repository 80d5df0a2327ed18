"""Issues in one GitLab project, on gitlab.com or a server of one's own.

`python-gitlab` (the extra `gitlab`) serves for login and transport. Everything else of syncd comes from `syncd.plugin`.
"""
