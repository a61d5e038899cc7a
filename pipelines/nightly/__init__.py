"""Jobs that bring a store up to date from a place where files appear: PubMed, CNKI exports, backfills."""
