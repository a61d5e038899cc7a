"""What only a whole document shows: the abbreviations it defines, the names it repeats. No model is asked."""
