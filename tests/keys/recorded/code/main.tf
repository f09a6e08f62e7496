# Every way in which a key comes into a state: alone, count, for_each, modules, another account, encrypted, rotated.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {
  type = string
}

variable "generation" {
  type    = number
  default = 1
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints {
    iam = var.endpoint
    sts = var.endpoint
  }
}

provider "aws" {
  alias                       = "other"
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  assume_role {
    role_arn = "arn:aws:iam::210987654321:role/deploy"
  }
  endpoints {
    iam = var.endpoint
    sts = var.endpoint
  }
}

resource "aws_iam_user" "u" {
  for_each = toset(["plain", "counted-0", "counted-1", "each-ci", "encrypted", "rotated", "resting"])
  name     = each.key
}

resource "aws_iam_user" "same_name" {
  provider = aws.other
  name     = "plain"
}

resource "aws_iam_access_key" "plain" {
  user = aws_iam_user.u["plain"].name
}

resource "aws_iam_access_key" "counted" {
  count = 2
  user  = aws_iam_user.u["counted-${count.index}"].name
}

resource "aws_iam_access_key" "each" {
  for_each = toset(["ci"])
  user     = aws_iam_user.u["each-${each.key}"].name
}

resource "aws_iam_access_key" "other" {
  provider = aws.other
  user     = aws_iam_user.same_name.name
}

resource "aws_iam_access_key" "encrypted" {
  user    = aws_iam_user.u["encrypted"].name
  pgp_key = file("${path.module}/pgp_key.txt")
}

resource "aws_iam_access_key" "resting" {
  user   = aws_iam_user.u["resting"].name
  status = "Inactive"
}

resource "terraform_data" "generation" {
  triggers_replace = var.generation
}

resource "aws_iam_access_key" "rotated" {
  user = aws_iam_user.u["rotated"].name

  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.generation]
  }
}

module "member" {
  source   = "./member"
  for_each = toset(["a.b"])
  name     = "member-${each.key}"
}
