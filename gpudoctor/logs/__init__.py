"""Text in, facts and sightings out: logs, pastes and what is quoted in them. Everything read here is hostile."""
