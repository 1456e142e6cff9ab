"""Writes the report and ends the MLflow run; always runs last."""
