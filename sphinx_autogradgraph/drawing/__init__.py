"""Graph → picture → DOT → layout → SVG, and Graph → words.  Needs neither torch nor sphinx."""
