"""Write HTML as Markdown."""
