"""Measurements for every claim about speed: `make bench`. Claims are ratios whose two sides are measured in one run."""
