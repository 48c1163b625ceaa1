"""The dialogs. Each asks for one thing and returns it as a frozen value; none does the work itself."""
