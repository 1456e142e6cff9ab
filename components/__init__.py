"""The steps, in the order of the graph.

prepare_data      reads, validates, hashes, splits and mixes the training rows; gathers the suites' prompts
evaluate_safety   asks a model every prompt k times and judges the answers; used twice, before and after
finetune_lora     trains a LoRA adapter on the assistant's tokens
compute_delta     pairs both reports prompt by prompt and bounds the drop of every category
follow_up         asks the prompts that look worse again, on both sides
check_gate        turns policy and evidence into a decision with a reason per category
register_adapter  registers the adapter that was evaluated, and makes it champion
reject_adapter    leaves the same evidence on the run, and no version
publish_report    always runs last: writes the report and closes the run
"""
