"""What keeps runs whole: plans and locks, receipts, leftovers, progress, manifests, checks."""
