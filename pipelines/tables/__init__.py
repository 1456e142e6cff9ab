"""What is printed as tables; nothing here computes a figure."""
