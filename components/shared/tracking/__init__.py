"""The only package that imports mlflow.

Runs are in `runs`, the model registry in `registry` and `rollback`, what was decided before in `history` and `decided`,
a decision's evidence in `evidence`, reviews in `review`; `spool` keeps what a server could not take. mlflow is imported
when a store is first opened, not when this package is imported.
"""
