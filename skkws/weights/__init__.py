"""Pretrained weights and where they come from: see the NOTICE beside this file."""
