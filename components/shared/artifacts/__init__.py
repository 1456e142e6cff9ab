"""The artifacts that flow between steps: pydantic models, JSON on disk, each with the digests of its inputs.

TrainingData and PromptSet → AdapterManifest; SafetyReport x2 → DeltaReport → FollowUpReport → GateDecision →
Registration or Rejection → RunReport.
"""
