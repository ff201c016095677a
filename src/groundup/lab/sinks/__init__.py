"""Other trackers, fed from the record of runs by replaying it: MLflow, TensorBoard, Weights & Biases."""
