"""Tests of gpudoctor.render.formats."""
