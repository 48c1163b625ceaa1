"""The widgets that panels and dialogs are built from. None of them knows the document."""
