"""What each claim about speed is measured with: `make bench`. Only ratios are claimed, measured side by side in one run."""
