"""Measures of a weights file on land that was held out: figures, and a report for people."""
