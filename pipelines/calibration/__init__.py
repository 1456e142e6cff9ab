"""`plimsoll gate calibrate`: makes regressions of known size and looks what the gate does with them.

    doses      which mutant to make next
    mutants    makes it: LoRA updates scaled and added, exactly
    steps      runs the pipeline's own steps on it, in this process
    measure    its true drop, and the gate's decision
    predict    what the gate should have said, by simulation
    calibrate  all of it, in several processes
    tables     the dose-response table

Nothing here registers anything, or writes to the user's MLflow store or audit log.
"""
