"""Messages to channels: Slack, Teams, Standard Webhooks and e-mail, and the daily digest.

The worker writes a notice in the transaction of its event; a thread for each channel sends what waits, at most once, and reads the store alone.
"""
