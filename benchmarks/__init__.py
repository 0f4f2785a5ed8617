"""How fast hlm is: ratios measured in one run, so that they hold on any machine."""
