"""Reports about crash groups, and how each tracker's markup says them. Pure: no I/O, no clock."""
