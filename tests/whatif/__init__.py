"""Questions answered at once: preview, power, solve."""
