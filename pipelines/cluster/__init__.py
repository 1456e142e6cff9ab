"""Runs on a Kubeflow Pipelines server: compile, submit, schedule, trigger."""
