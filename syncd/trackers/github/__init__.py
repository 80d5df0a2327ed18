"""GitHub as a tracker: `tracker` implements the contract, the other modules each hold one question to GitHub.

No other package imports PyGithub.
"""
