"""The kernels: cross-products in, estimates and their inference out; they know no study."""
