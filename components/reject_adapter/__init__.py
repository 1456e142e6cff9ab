"""Records a decision against the adapter on its MLflow run; registers nothing."""
