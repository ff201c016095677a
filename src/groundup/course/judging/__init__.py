"""From a submission to a verdict: cases, answers, comparison, the smallest failing case, the name of the mistake."""
