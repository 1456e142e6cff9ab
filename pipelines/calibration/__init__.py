"""`plimsoll gate calibrate`: tests the gate with damaged adapters (mutants) whose regressions have a known size.

    doses        chooses the next dose of the bad adapter
    mutants      makes a mutant: an exact weighted sum of LoRA updates
    steps        runs the pipeline's steps on it, in this process
    mutant_runs  measures one mutant: its true drop and the gate's decision
    predict      simulates what the gate should decide
    calibrate    runs all of this in several processes
    tables       prints the dose-response tables

A calibration registers nothing and leaves the user's MLflow store and audit log alone.
"""
