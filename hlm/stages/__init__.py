"""The steps of a study, one module each, from files to files: what the jobs of the workflow run."""
