"""What is asked and how answers are judged: suites, overlap, judges, figures, pairing."""
