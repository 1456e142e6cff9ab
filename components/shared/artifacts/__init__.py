"""What flows between steps: pydantic models, JSON on disk, each with the digests of what it was made from.

TrainingData and PromptSet → AdapterManifest; SafetyReport x2 → DeltaReport → FollowUpReport → GateDecision →
Registration or Rejection → RunReport.
"""
