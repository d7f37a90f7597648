"""What a method owes to the rest: `Method`, its knobs, its `Training`, its presets."""
