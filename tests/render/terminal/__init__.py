"""Tests of gpudoctor.render.terminal."""
