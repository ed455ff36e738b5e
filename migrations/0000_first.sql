CREATE TABLE `agent_members` (
	`agent_id` text NOT NULL,
	`user_id` integer NOT NULL,
	`role` text NOT NULL,
	`link_id` text,
	`joined_at` integer NOT NULL,
	`last_message_at` integer,
	PRIMARY KEY(`agent_id`, `user_id`)
);
--> statement-breakpoint
CREATE INDEX `members_by_user` ON `agent_members` (`user_id`);--> statement-breakpoint
CREATE TABLE `agents` (
	`id` text PRIMARY KEY NOT NULL,
	`owner_id` integer NOT NULL,
	`name` text NOT NULL,
	`prompt` text NOT NULL,
	`model` text NOT NULL,
	`status` text NOT NULL,
	`machine_id` text,
	`url` text,
	`secret_sealed` text NOT NULL,
	`inference_key_sealed` text NOT NULL,
	`inference_key_hash` text NOT NULL,
	`version` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `agents_inferenceKeyHash_unique` ON `agents` (`inference_key_hash`);--> statement-breakpoint
CREATE INDEX `agents_by_owner` ON `agents` (`owner_id`,`status`);--> statement-breakpoint
CREATE TABLE `deployments` (
	`id` text PRIMARY KEY NOT NULL,
	`agent_id` text NOT NULL,
	`machine_id` text,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`step` text DEFAULT 'queued' NOT NULL,
	`chat_name` text,
	`error_code` text,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `deployments_by_agent` ON `deployments` (`agent_id`);--> statement-breakpoint
CREATE INDEX `deployments_by_status` ON `deployments` (`status`,`updated_at`);--> statement-breakpoint
CREATE TABLE `links` (
	`id` text PRIMARY KEY NOT NULL,
	`agent_id` text NOT NULL,
	`token_hash` text NOT NULL,
	`token_sealed` text NOT NULL,
	`expires_at` integer,
	`max_people` integer,
	`messages_per_day` integer,
	`revoked_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `links_tokenHash_unique` ON `links` (`token_hash`);--> statement-breakpoint
CREATE INDEX `links_by_agent` ON `links` (`agent_id`);--> statement-breakpoint
CREATE TABLE `machines` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`item_hash` text,
	`state` text NOT NULL,
	`agent_id` text,
	`crn_hash` text,
	`crn_url` text,
	`ssh_host` text,
	`ssh_port` integer,
	`ssh_user` text DEFAULT 'root' NOT NULL,
	`host_key` text,
	`url` text,
	`failure` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`gone_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `machines_name_unique` ON `machines` (`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `machines_itemHash_unique` ON `machines` (`item_hash`);--> statement-breakpoint
CREATE INDEX `machines_by_state` ON `machines` (`state`);--> statement-breakpoint
CREATE TABLE `message_counts` (
	`user_id` integer NOT NULL,
	`scope` text NOT NULL,
	`day` text NOT NULL,
	`count` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`user_id`, `scope`, `day`)
);
--> statement-breakpoint
CREATE TABLE `usage` (
	`agent_id` text NOT NULL,
	`day` text NOT NULL,
	`model` text NOT NULL,
	`requests` integer DEFAULT 0 NOT NULL,
	`prompt_tokens` integer DEFAULT 0 NOT NULL,
	`cached_tokens` integer DEFAULT 0 NOT NULL,
	`completion_tokens` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`agent_id`, `day`, `model`)
);
--> statement-breakpoint
CREATE TABLE `users` (
	`id` integer PRIMARY KEY NOT NULL,
	`first_name` text DEFAULT '' NOT NULL,
	`language_code` text,
	`language_override` text,
	`timezone` text,
	`quiet` integer DEFAULT 0 NOT NULL,
	`api_key_sealed` text,
	`created_at` integer NOT NULL
);
