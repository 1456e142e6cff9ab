"""What talks to a Kubeflow Pipelines server: submit, schedule, trigger."""
