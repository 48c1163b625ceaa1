"""Dialogs: each asks for one thing and gives it as a frozen value; none does the work itself."""
