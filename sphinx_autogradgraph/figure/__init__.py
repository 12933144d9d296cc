"""What a figure in a page is, whatever makes the page: options, what they ask for, HTML."""
