"""What came into a store in which order and by whose hand: locks, ledger, document indexes, and what is current."""
