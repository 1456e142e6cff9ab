"""Registers the evaluated adapter in MLflow and makes it champion."""
