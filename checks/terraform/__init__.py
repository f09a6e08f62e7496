"""Custom Checkov checks for Terraform source, tf.json and plans; Checkov loads each module of this folder by itself."""
