"""Parts of report pages: tables, charts and the HTML page. What they show is up to the caller."""
