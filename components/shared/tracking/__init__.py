"""Writes runs, artifacts and registered models to MLflow, and reads them back.

The only package that imports mlflow, and only when a store is first opened.
"""
