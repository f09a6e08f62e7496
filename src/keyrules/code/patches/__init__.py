"""What a scan found, mended: edits of the source text that the rules themselves have judged again."""
