"""The steps, in the order of the graph.

prepare_data      reads, checks, hashes, splits and mixes the training rows; collects the suites' prompts
evaluate_safety   asks a model every prompt k times and judges the answers; used twice, before and after
finetune_lora     trains a LoRA adapter on the assistant's tokens
compute_delta     compares both reports prompt by prompt: the drop of every category, with bounds
follow_up         asks the prompts that look worse again, on both sides
check_gate        applies the policy to the evidence: a decision with a reason per category
register_adapter  registers the adapter that was evaluated, and makes it champion
reject_adapter    records the rejection; registers nothing
publish_report    always runs last: writes the report and closes the run
"""
