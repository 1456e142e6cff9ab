"""Reviews: a person looks at answers that the gate could not decide on, and approves or refuses the adapter."""
