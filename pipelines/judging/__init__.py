"""What judges get right and wrong, against labels given by people."""
