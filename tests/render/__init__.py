"""Tests of gpudoctor.render."""
