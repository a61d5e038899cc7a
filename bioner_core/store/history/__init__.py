"""What came into a store in which order and by whose hand: locks, ledger, registers, and what is current."""
