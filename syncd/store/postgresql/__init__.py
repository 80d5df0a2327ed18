"""A store on a PostgreSQL server: pooled transactions, the server's clock, and hints between processes.

Only the driver seam lives here; the operations of the store are written once, above it.
"""
