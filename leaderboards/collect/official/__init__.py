"""Boards that benchmarks' authors published, as they wrote them."""
