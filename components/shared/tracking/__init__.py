"""The only package that imports mlflow: runs in `runs`, the model registry in `registry`.

mlflow is imported when a store is first opened, not when this package is imported.
"""
